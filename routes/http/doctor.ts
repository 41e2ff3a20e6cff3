/** `GET /api/v1/doctor`: what is wrong with this installation, each finding with its cure. Makes test offers. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Finding } from '../../src/engine/operations.ts';
import { DoctorBody } from './schemas.ts';

export function doctorRoute(doctor: () => Promise<readonly Finding[]>): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/doctor',
      {
        schema: { summary: 'What is wrong with this installation, each with its cure', response: { 200: DoctorBody } },
      },
      async () => {
        const findings = [...(await doctor())];
        return { healthy: !findings.some(({ level }) => level === 'error'), findings };
      },
    );
  };
}
