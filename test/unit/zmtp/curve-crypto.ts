/** The crypto library that handshakes are handed in. */
