"""What can be told of English text from its words alone: questions, sentences, terms, numbers and their units.

No model, no library, no I/O: text in, facts about it out.
"""
