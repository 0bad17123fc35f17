"""系统首页 · Home: tasks, messages, figures."""
