/**
 * A web application with JsSIP as its users write it: it logs in with a token of its identity server and nothing else, and
 * puts a new one in when JsSIP is about to register again. `window.viaductPhone` has the names that our page has.
 */
import JsSIP from 'jssip';

const given = new URLSearchParams(location.hash.slice(1));
const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const options = { mediaConstraints: { audio, video: false }, pcConfig: { iceServers: [] } };
const player = new Audio();
player.autoplay = true;

let session;
let nextToken = given.get('token');

const ua = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(given.get('ws'))],
  uri: `sip:${given.get('user')}@${given.get('domain')}`,
  authorization_jwt: `Bearer ${given.get('token')}`,
});

const phone = {
  line: { at: 'registering' },
  call: { at: 'none' },
  remoteStream: undefined,
  dial: (user) => ua.call(`sip:${user}@${given.get('domain')}`, options),
  answer: () => session.answer(options),
  end: () => session.terminate(),
  /** The identity server has given out another one. */
  renew(token) {
    nextToken = token;
    register();
  },
};

function register() {
  ua.set('authorization_jwt', `Bearer ${nextToken}`);
  ua.registrator().register();
}

function at(state, why) {
  phone.call = { at: state, why };
}

ua.on('registered', () => {
  phone.line = { at: 'registered' };
});
ua.on('registrationFailed', ({ cause, response }) => {
  phone.line = { at: 'failed', cause, status: response?.status_code };
});
ua.on('registrationExpiring', register);
ua.on('newRTCSession', (event) => {
  session = event.session;
  at(event.originator === 'local' ? 'calling' : 'incoming');
  session.on('progress', () => event.originator === 'local' && at('ringing'));
  session.on('confirmed', () => {
    phone.remoteStream = new MediaStream(session.connection.getReceivers().map(({ track }) => track));
    player.srcObject = phone.remoteStream;
    at('talking');
  });
  for (const end of ['ended', 'failed']) session.on(end, ({ message }) => at('ended', message?.getHeader('Reason')));
});
ua.start();
window.viaductPhone = phone;
