/**
 * A second kind of browser phone, for tests: SIP.js where our page has JsSIP. It registers without instance and reg-id,
 * and gathers candidates its own way. `window.viaductPhone` has the names that our page has.
 */
import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from 'sip.js';

const given = new URLSearchParams(location.hash.slice(1));
const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const sessionDescriptionHandlerOptions = { constraints: { audio, video: false } };
/** With a token in place of the password, each request brings it (RFC 8898 §2.1.3). */
const token = given.get('token');
const extraHeaders = (name) => (token === null ? {} : { extraHeaders: [`${name}: Bearer ${token}`] });
const player = new Audio();
player.autoplay = true;

let session;

const phone = {
  line: { at: 'registering' },
  call: { at: 'none' },
  remoteStream: undefined,
  dial(user) {
    const target = UserAgent.makeURI(`sip:${user}@${given.get('domain')}`);
    follow(
      new Inviter(agent, target, { sessionDescriptionHandlerOptions, ...extraHeaders('Proxy-Authorization') }),
      'calling',
    );
    session.invite({ requestDelegate: { onProgress: () => at('ringing'), onReject: () => at('ended') } });
  },
  answer: () => session.accept({ sessionDescriptionHandlerOptions }),
  end: () => (session.state === SessionState.Established ? session.bye() : (session.reject?.() ?? session.cancel())),
};

function at(state) {
  phone.call = { at: state };
}

function follow(next, state) {
  session = next;
  at(state);
  session.stateChange.addListener((now) => {
    if (now === SessionState.Established) {
      phone.remoteStream = session.sessionDescriptionHandler.remoteMediaStream;
      player.srcObject = phone.remoteStream;
      at('talking');
    }
    if (now === SessionState.Terminated) at('ended');
  });
}

const agent = new UserAgent({
  uri: UserAgent.makeURI(`sip:${given.get('user')}@${given.get('domain')}`),
  authorizationUsername: given.get('user'),
  authorizationPassword: given.get('password') ?? '',
  transportOptions: { server: given.get('ws') },
  sessionDescriptionHandlerFactoryOptions: {
    peerConnectionConfiguration: { iceServers: [] },
    iceGatheringTimeout: 500,
  },
  delegate: { onInvite: (invitation) => follow(invitation, 'incoming') },
  logLevel: 'error',
});
const registerer = new Registerer(agent, extraHeaders('Authorization'));
registerer.stateChange.addListener((state) => {
  phone.line = { at: state === RegistererState.Registered ? 'registered' : 'failed' };
});
agent.start().then(() => registerer.register());
window.viaductPhone = phone;
