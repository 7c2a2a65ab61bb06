"""Worker processes that make calls, and the number of processors that this process may use."""
