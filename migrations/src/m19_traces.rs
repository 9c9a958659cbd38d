//! What a file's content looks like, under its hash: so that a picture or a list handed in before is seen. Content never
//! changes, so neither do these rows. People on lists are kept as hashes.

crate::migration!(
    "m19_traces",
    "
-- A perceptual hash of 256 bits in hex, and its 16 bands: near-same images share at least one.
CREATE TABLE image_look (
  sha256 text NOT NULL PRIMARY KEY,
  look text NOT NULL
);
CREATE TABLE image_band (
  band integer NOT NULL,
  value integer NOT NULL,
  sha256 text NOT NULL,
  PRIMARY KEY (band, value, sha256)
);
CREATE INDEX image_band_of ON image_band (sha256, band, value);

-- Who is on a list: SHA-256 of the e-mail address in small letters.
CREATE TABLE list_entry (
  entry text NOT NULL,
  sha256 text NOT NULL,
  PRIMARY KEY (entry, sha256)
);
CREATE INDEX list_entry_of ON list_entry (sha256);
"
);
