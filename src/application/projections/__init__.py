"""Pure folds from the events of a stream to the rows of silver."""
