"""Mass estimators and classical proxies."""
