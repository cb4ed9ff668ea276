"""The terminal screen: a thin shell that draws projections and sends verbs."""
