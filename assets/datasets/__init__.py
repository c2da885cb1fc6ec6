"""Dataset (on the wire: data_manager) and DataSample: openers, and the data that they open."""
