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

interface ServedNamespace {
  gateways: Partial<Welcoming>[];
  /** By the name of the event. */
  messages: Map<string, MessageKind>;
}

/**
 * All messages that clients send, by namespace. A message that does not say who may send it, or that two gateways of
 * one namespace take, stops the server from starting.
 */
@Injectable()
export class MessageTable implements OnModuleInit {
  readonly namespaces = new Map<string, ServedNamespace>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      const options = metatype && (Reflect.getMetadata(GATEWAY_OPTIONS, metatype) as { namespace: string } | undefined);
      if (options) this.add(options.namespace, instance as object, metatype.name);
    }
  }

  /** What is known of a message; undefined if the namespace does not take it. */
  kindOf(namespace: string, event: string): MessageKind | undefined {
    return this.namespaces.get(namespace)?.messages.get(event);
  }

  gatewaysOf(namespace: string): Partial<Welcoming>[] {
    return this.namespaces.get(namespace)?.gateways ?? [];
  }

  private add(namespace: string, gateway: object, gatewayName: string): void {
    if (!NAMESPACES[namespace]) throw new Error(`${namespace} has no rules in namespaces.ts`);
    const served = this.namespaces.get(namespace) ?? { gateways: [], messages: new Map<string, MessageKind>() };
    this.namespaces.set(namespace, served);
    served.gateways.push(gateway);
    for (const kind of this.messagesOf(gateway, gatewayName)) {
      if (served.messages.has(kind.event)) {
        throw new Error(`${gatewayName} takes the message ${kind.event} of ${namespace}, which is taken already`);
      }
      served.messages.set(kind.event, kind);
    }
  }

  private messagesOf(gateway: object, gatewayName: string): MessageKind[] {
    const prototype = Object.getPrototypeOf(gateway) as Record<string, object>;
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handler = prototype[method]!;
      const event = Reflect.getMetadata(MESSAGE_METADATA, handler) as string | undefined;
      if (event === undefined) return [];
      const message = Reflect.getMetadata(MESSAGE, handler) as MessageOptions | undefined;
      const access = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
      if (!message || !access) throw new Error(`${gatewayName}.${method} takes a message without @Message`);
      return [{ event, access, ...message }];
    });
  }
}
