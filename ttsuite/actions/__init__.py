"""What a user asks for of one run: run, resume, dry run, certify."""
