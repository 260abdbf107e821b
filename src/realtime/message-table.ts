import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { GATEWAY_OPTIONS, MESSAGE_METADATA } from '@nestjs/websockets/constants.js';
import { ACCESS, type Access } from '../common/actor/access.js';
import { MESSAGE, type MessageOptions, type Welcoming } from '../common/ws/gateway.js';
import { NAMESPACES } from './namespaces.js';

export interface MessageKind extends MessageOptions {
  event: string;
  access: Access;
}

interface GatewayKind {
  gateway: Partial<Welcoming>;
  messages: Map<string, MessageKind>;
}

/** All messages that clients send, by namespace. One that does not say who may send it stops the server from starting. */
@Injectable()
export class MessageTable implements OnModuleInit {
  readonly namespaces = new Map<string, GatewayKind>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      const options = metatype && (Reflect.getMetadata(GATEWAY_OPTIONS, metatype) as { namespace: string } | undefined);
      if (!options) continue;
      if (!NAMESPACES[options.namespace]) throw new Error(`${options.namespace} has no rules in namespaces.ts`);
      const prototype = Object.getPrototypeOf(instance) as Record<string, object>;
      const messages = this.scanner.getAllMethodNames(prototype).flatMap((name): MessageKind[] => {
        const handler = prototype[name]!;
        const event = Reflect.getMetadata(MESSAGE_METADATA, handler) as string | undefined;
        if (event === undefined) return [];
        const message = Reflect.getMetadata(MESSAGE, handler) as MessageOptions | undefined;
        const access = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
        if (!message || !access) throw new Error(`${metatype.name}.${name} takes a message without @Message`);
        return [{ event, access, ...message }];
      });
      const byEvent = new Map(messages.map((message) => [message.event, message]));
      this.namespaces.set(options.namespace, { gateway: instance as Welcoming, messages: byEvent });
    }
  }
}
