"""The running program: settings, application, jobs, live screens, command line."""
