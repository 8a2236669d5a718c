"""What the dashboard's pages show: a view-model for each, made of figures and rows, without a word about layout."""
