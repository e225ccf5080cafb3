"""What speaks for a SKU in a picture: barcodes, printed words, and how all evidence is fused."""
