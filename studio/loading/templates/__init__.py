"""Files that ``studio new`` starts from: a workflow and, where it calls any, its functions."""
