"""What an exercise is, and how an answer is run and judged; none of it knows the learner's notebook."""
