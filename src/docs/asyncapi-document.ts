import type { Sequence } from './sequences.js';

export interface Schema {
  title?: string;
  $ref?: string;
  allOf?: Schema[];
  oneOf?: Schema[];
  type?: string | string[];
  format?: string;
  description?: string;
  example?: unknown;
  examples?: unknown[];
  nullable?: boolean;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

/** The name of a message that comes as no event. */
export const ACKNOWLEDGEMENT = 'acknowledgement';

export interface EventMessage {
  name: string;
  summary: string;
  payload: Schema;
  examples: { payload: unknown }[];
}

export interface Ref {
  $ref: string;
}

export interface EventOperation {
  /** As AsyncAPI means it, from the server's side: what clients send, it receives. */
  action: 'receive' | 'send';
  summary: string;
  description: string;
  /** Who may; none for what is open to all. */
  security: Ref[];
  channel: Ref;
  messages: Ref[];
  reply?: { channel: Ref; messages: Ref[] };
  /** Those of the reply that an acknowledgement may hold. */
  'x-acknowledgement'?: Ref[];
  'x-roles'?: readonly string[];
  /** The codes of its refusals. */
  'x-codes'?: string[];
}

/** https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export interface AsyncApiDocument {
  asyncapi: string;
  info: {
    title: string;
    version: string;
    description: string;
    contact: object;
    license: object;
    tags: { name: string; description: string }[];
  };
  defaultContentType: string;
  servers: Record<string, { host: string; pathname: string; protocol: string; description: string; security: Ref[] }>;
  channels: Record<
    string,
    { address: string; description: string; messages: Record<string, Ref>; 'x-sequences'?: Sequence[] }
  >;
  operations: Record<string, EventOperation>;
  components: {
    messages: Record<string, EventMessage>;
    schemas: Record<string, Schema>;
    securitySchemes: Record<string, object>;
  };
}
