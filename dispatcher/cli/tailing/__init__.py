"""``dispatcher tail`` on a whole screen: keys, what they do, what is drawn. The plain form is in ``cli/events``."""
