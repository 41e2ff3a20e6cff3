/**
 * Presence and messages as browser libraries speak them, for tests: SIP.js, and JsSIP where it can (it has no PUBLISH).
 * `window.viaductPresence` has what was heard, and what a test may ask for.
 */
import JsSIP from 'jssip';
import { Messager, Publisher, Registerer, RegistererState, Subscriber, UserAgent } from 'sip.js';

const given = new URLSearchParams(location.hash.slice(1));
const domain = given.get('domain');
const aor = (user) => `sip:${user}@${domain}`;
const heard = { notifies: [], messages: [], statuses: [] };

function withSipjs() {
  const agent = new UserAgent({
    uri: UserAgent.makeURI(aor(given.get('user'))),
    authorizationUsername: given.get('user'),
    authorizationPassword: given.get('password'),
    transportOptions: { server: given.get('ws') },
    delegate: {
      onMessage: (message) => {
        heard.messages.push(message.request.body);
        message.accept();
      },
    },
    logLevel: 'error',
  });
  const registerer = new Registerer(agent);
  registerer.stateChange.addListener((state) => {
    heard.line = state === RegistererState.Registered ? 'registered' : 'away';
  });
  const started = agent.start();
  let publisher;
  let subscriber;
  return {
    register: () => started.then(() => registerer.register()),
    async watch(user, event) {
      await started;
      subscriber = new Subscriber(agent, UserAgent.makeURI(aor(user)), event, { expires: 600 });
      subscriber.delegate = {
        onNotify: (notification) => {
          heard.notifies.push({
            state: notification.request.getHeader('Subscription-State'),
            body: notification.request.body,
          });
          notification.accept();
        },
      };
      await subscriber.subscribe();
    },
    refresh: () => subscriber.subscribe(),
    unwatch: () => subscriber.unsubscribe(),
    async publish(body) {
      await started;
      const options = { body, contentType: 'application/pidf+xml', expires: 600 };
      publisher ??= new Publisher(agent, UserAgent.makeURI(aor(given.get('user'))), 'presence', options);
      await publisher.publish(body);
    },
    unpublish: () => publisher.unpublish(),
    async say(user, text) {
      await started;
      const note = ({ message }) => heard.statuses.push(message.statusCode);
      const messager = new Messager(agent, UserAgent.makeURI(aor(user)), text);
      await messager.message({ requestDelegate: { onAccept: note, onReject: note } });
    },
  };
}

function withJssip() {
  const agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(given.get('ws'))],
    uri: aor(given.get('user')),
    password: given.get('password'),
    register: false,
  });
  agent.on('newMessage', ({ originator, request }) => {
    if (originator === 'remote') heard.messages.push(request.body);
  });
  agent.on('registered', () => {
    heard.line = 'registered';
  });
  const connected = new Promise((resolve) => {
    agent.on('connected', resolve);
  });
  agent.start();
  let subscriber;
  return {
    register: () => connected.then(() => agent.register()),
    async watch(user, event, accept) {
      await connected;
      subscriber = agent.subscribe(aor(user), event, accept, { expires: 600 });
      subscriber.on('notify', (_isFinal, notify, body) => {
        heard.notifies.push({ state: notify.getHeader('Subscription-State'), body: body ?? '' });
      });
      subscriber.subscribe();
    },
    refresh: () => subscriber.subscribe(),
    unwatch: () => subscriber.terminate(),
    async say(user, text) {
      await connected;
      const note = ({ response }) => heard.statuses.push(response.status_code);
      agent.sendMessage(aor(user), text, { eventHandlers: { succeeded: note, failed: note } });
    },
  };
}

window.viaductPresence = { heard, ...(given.get('library') === 'jssip' ? withJssip() : withSipjs()) };
