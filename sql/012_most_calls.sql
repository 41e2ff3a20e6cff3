-- A limit on the calls of an account. Written by `viaduct user set`.

ALTER TABLE subscriber ADD COLUMN most_calls integer CHECK (most_calls BETWEEN 1 AND 1000);

COMMENT ON COLUMN subscriber.most_calls IS 'How many calls it may have at a time, as caller and callee. NULL: what MAX_CALLS says.';
