-- What an account wants for its calls beside its devices ringing (routes/forwarding.ts). Written by `viaduct user set`.

ALTER TABLE subscriber
  ADD COLUMN do_not_disturb     boolean NOT NULL DEFAULT false,
  ADD COLUMN ring_seconds       integer CHECK (ring_seconds BETWEEN 1 AND 180),
  ADD COLUMN forward_always     text CHECK (forward_always ~ '^sips?:[^[:space:]<>"]+$'),
  ADD COLUMN forward_busy       text CHECK (forward_busy ~ '^sips?:[^[:space:]<>"]+$'),
  ADD COLUMN forward_no_answer  text CHECK (forward_no_answer ~ '^sips?:[^[:space:]<>"]+$'),
  ADD COLUMN voicemail          text CHECK (voicemail ~ '^sips?:[^[:space:]<>"]+$');

COMMENT ON COLUMN subscriber.do_not_disturb IS 'No device rings: the call is forwarded as if busy, else refused with 480.';
COMMENT ON COLUMN subscriber.ring_seconds IS 'How long its devices ring before a call counts as unanswered. NULL: 20 s where it would then be forwarded, else three minutes.';
COMMENT ON COLUMN subscriber.forward_always IS 'SIP URI that every call goes to, without ringing a device.';
COMMENT ON COLUMN subscriber.forward_busy IS 'SIP URI that a call goes to when a device says that it is busy, or with do_not_disturb.';
COMMENT ON COLUMN subscriber.forward_no_answer IS 'SIP URI that a call goes to when nobody answers or no device can be reached.';
COMMENT ON COLUMN subscriber.voicemail IS 'SIP URI that a call goes to when forward_busy or forward_no_answer is not set or did not answer.';
