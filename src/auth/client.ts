import type { FastifyRequest } from 'fastify';
import type { Client } from './sessions.service.js';

/** Where a request comes from. */
export const clientOf = ({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>): Client => ({
  ip_address: ip,
  user_agent: headers['user-agent']?.slice(0, 200) ?? null,
});
