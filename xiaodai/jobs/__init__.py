"""后台任务 · Everything that runs without a request: the queue of a lender's jobs and the worker that empties it."""
