"""The validation gate: Great Expectations suites for prices and for the panel."""
