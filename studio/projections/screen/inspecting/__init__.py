"""What the inspector shows of one node: one module per tab, all of them pure."""
