//! Numbers and vendors of invoices are compared by their letters and digits: "INV-77" and "inv 77" are one. What is there
//! already loses the marks people write most; every other one when its cycle is next written.

crate::migration!(
    "m24_invoice_keys",
    "
UPDATE invoice SET invoice_no = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(invoice_no), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), '#', ''), ',', ''), '&', '')
 WHERE REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(invoice_no), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), '#', ''), ',', ''), '&', '') <> '';
UPDATE invoice SET vendor = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(vendor), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), '#', ''), ',', ''), '&', '')
 WHERE REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(vendor), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), '#', ''), ',', ''), '&', '') <> '';
"
);
