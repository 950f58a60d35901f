"""What the lessons import: one topic a module, nothing imported and nothing run until asked for."""

__version__ = "1.0.0"
