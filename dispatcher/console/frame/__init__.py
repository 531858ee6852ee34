"""The frame of every page: who may see it, navigation, sentences, problems, and answers."""
