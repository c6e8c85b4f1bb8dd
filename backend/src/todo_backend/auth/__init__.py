"""Who asks: the session cookie that the frontend's authentication has set."""
