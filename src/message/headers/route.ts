/** Route, Record-Route (RFC 3261 §20.34, §20.30), Path (RFC 3327) and Service-Route (RFC 3608): lists of addresses. */
import { defineHeader, type Header } from '../header.ts';
import { type NameAddr, parseNameAddr, printNameAddr } from './address.ts';

const addressList = (name: string): Header<NameAddr> =>
  defineHeader({ name, list: true, parse: parseNameAddr, print: printNameAddr });

export const Route = addressList('Route');
export const RecordRoute = addressList('Record-Route');
export const Path = addressList('Path');
export const ServiceRoute = addressList('Service-Route');
