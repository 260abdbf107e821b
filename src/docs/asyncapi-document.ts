export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  format?: string;
  description?: string;
  example?: unknown;
  nullable?: boolean;
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

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
  channel: Ref;
  messages: Ref[];
  reply?: { channel: Ref; messages: Ref[] };
  'x-roles'?: readonly string[];
}

/** https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export interface AsyncApiDocument {
  asyncapi: string;
  info: { title: string; version: string; description: string };
  defaultContentType: string;
  servers: Record<string, object>;
  channels: Record<string, { address: string; description: string; messages: Record<string, Ref> }>;
  operations: Record<string, EventOperation>;
  components: { messages: Record<string, EventMessage>; schemas: Record<string, Schema> };
}
