import type { FastifyRequest } from 'fastify';
import type { Client } from './sessions.service.js';

/** Where a request comes from. */
export const clientOf = (request: FastifyRequest): Client => ({
  ip_address: request.ip,
  user_agent: request.headers['user-agent']?.slice(0, 200) ?? null,
});
