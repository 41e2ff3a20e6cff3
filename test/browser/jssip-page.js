/**
 * JsSIP bare, for tests of what our page does not do with it: a call without a name, and which addresses it was given.
 * `window.viaductPhone` has the names that our page has.
 */
import JsSIP from 'jssip';

const given = new URLSearchParams(location.hash.slice(1));
const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const player = new Audio();
player.autoplay = true;

/** The frames, each with its direction. */
const wire = [];
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...parts) {
    super(...parts);
    this.addEventListener('message', ({ data }) => wire.push({ sent: false, text: String(data) }));
  }
  send(text) {
    wire.push({ sent: true, text });
    super.send(text);
  }
};

let session;

const ua = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(given.get('ws'))],
  uri: `sip:${given.get('user')}@${given.get('domain')}`,
  password: given.get('password'),
  session_timers: false,
});

const phone = {
  line: { at: 'registering' },
  call: { at: 'none' },
  remoteStream: undefined,
  wire,
  gruus: () => ({ publicGruu: ua.contact.pub_gruu, temporaryGruu: ua.contact.temp_gruu, contact: `${ua.contact.uri}` }),
  dial: (user, anonymous = false) => ua.call(user, { ...options(), anonymous }),
  answer: () => session.answer(options()),
  end: () => session.terminate(),
};

function options() {
  return { mediaConstraints: { audio, video: false }, pcConfig: { iceServers: [] } };
}

function at(state) {
  phone.call = { at: state };
}

function listen(connection) {
  connection.addEventListener('track', ({ track }) => {
    phone.remoteStream = new MediaStream([track]);
    player.srcObject = phone.remoteStream;
  });
}

ua.on('newRTCSession', ({ originator, session: next }) => {
  session = next;
  at(originator === 'remote' ? 'incoming' : 'calling');
  if (session.connection) listen(session.connection);
  else session.on('peerconnection', ({ peerconnection }) => listen(peerconnection));
  session.on('progress', () => originator === 'local' && at('ringing'));
  session.on('confirmed', () => at('talking'));
  session.on('ended', () => at('ended'));
  session.on('failed', () => at('ended'));
});
ua.on('registered', () => {
  phone.line = { at: 'registered' };
});
ua.start();
window.viaductPhone = phone;
