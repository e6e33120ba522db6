"""Makes data set files of published data and of CSV."""
