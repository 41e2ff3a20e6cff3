-- Two calls may have one Call-ID; rtpengine knows the second by another name, and a restart must not confuse them.

ALTER TABLE dialog ADD COLUMN media_name text COLLATE "C";

COMMENT ON COLUMN dialog.media_name IS 'What rtpengine calls its media session; NULL when media does not pass one, and in rows of before it was noted: the Call-ID.';
