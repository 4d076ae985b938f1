"""Trained runs as one HTML page. It is imported by itself, for what it needs nobody else does:

from keras_ijae.report import write_report

write_report(["runs/mnist"], "report.html")
"""

from keras_ijae.report.writing import write_report

__all__ = ["write_report"]
