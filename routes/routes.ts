/** The routes as the engine calls them: main.ts hands this over. */
import type { Routes } from '../src/engine/api.ts';
import { branch } from './branch.ts';
import { failure } from './failure.ts';
import { reply } from './reply.ts';
import { request } from './request.ts';

export const routes: Routes = { request, branch, reply, failure };
