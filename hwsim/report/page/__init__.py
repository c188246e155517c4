"""Results as pages for a browser: one HTML file each, without a network, also on paper."""
