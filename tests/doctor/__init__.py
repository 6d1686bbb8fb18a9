"""`ccship doctor`: each finding."""
