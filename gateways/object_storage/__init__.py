"""对象存储 · Keeps files: printed documents and what people upload."""
