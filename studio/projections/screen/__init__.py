"""What each part of the screen shows, as plain rows of styled text: no widget, no colour."""
