/** What JsSIP's types use of the `events` package, which has none itself. */
declare module 'events' {
  export class EventEmitter {
    removeAllListeners(): this;
  }
}
