"""What the lessons import: one topic a module, nothing imported and nothing run until asked for."""
