"""What is deployed: components, images, the desired release and what a healthy one looks like."""
