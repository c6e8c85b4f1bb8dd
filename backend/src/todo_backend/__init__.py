"""REST API and chat assistant of the Todo AI Chatbot."""
