-- A telephone that takes either plain RTP or SRTP (OSRTP, RFC 8643) is a kind of its own.

ALTER TABLE location DROP CONSTRAINT location_media_check;
ALTER TABLE location ADD CONSTRAINT location_media_check CHECK (media IN ('webrtc', 'rtp', 'sdes', 'osrtp'));

COMMENT ON COLUMN location.media IS 'What the device is known to speak: webrtc (DTLS-SRTP, ICE), rtp (plain), sdes, or osrtp (plain or SDES, RFC 8643); NULL: not known yet.';
