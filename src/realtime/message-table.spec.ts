import { describe, expect, it } from '@jest/globals';
import { type Type } from '@nestjs/common';
import { DiscoveryModule, MetadataScanner } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { SubscribeMessage } from '@nestjs/websockets';
import { PUBLIC } from '../common/actor/access.js';
import { Gateway, Message } from '../common/ws/gateway.js';
import { MessageTable } from './message-table.js';

const anyone = { summary: 'A message of this test', roles: PUBLIC } as const;

@Gateway('/devices')
class Doors {
  @Message('open', anyone)
  open(): void {}
}

@Gateway('/devices')
class Lamps {
  @Message('shine', anyone)
  shine(): void {}
}

@Gateway('/devices')
class OtherDoors {
  @Message('open', anyone)
  openAnother(): void {}
}

/** The same name in another namespace is another message. */
@Gateway('/slots')
class Hours {
  @Message('open', anyone)
  open(): void {}
}

@Gateway('/devices')
class WithoutRule {
  @SubscribeMessage('enter')
  enter(): void {}
}

@Gateway('/nowhere')
class WithoutNamespace {}

async function tableOf(...gateways: Type[]): Promise<MessageTable> {
  const providers = [MessageTable, MetadataScanner, ...gateways];
  const module = await Test.createTestingModule({ imports: [DiscoveryModule], providers }).compile();
  const table = module.get(MessageTable);
  table.onModuleInit();
  return table;
}

describe('the table of messages', () => {
  it('has those of all gateways of a namespace', async () => {
    const table = await tableOf(Doors, Lamps, Hours);
    const events = [...table.namespaces].map(([namespace, { messages }]) => [namespace, [...messages.keys()]]);
    expect(events).toEqual([
      ['/devices', ['open', 'shine']],
      ['/slots', ['open']],
    ]);
    expect(table.gatewaysOf('/devices')).toEqual([expect.any(Doors), expect.any(Lamps)]);
    expect(table.kindOf('/devices', 'shine')).toMatchObject({ event: 'shine', summary: anyone.summary });
    expect(table.kindOf('/devices', 'unknown')).toBeUndefined();
  });

  it.each([
    ['says nothing of who may send it', [Doors, WithoutRule], 'WithoutRule.enter takes a message without @Message'],
    [
      'is taken twice',
      [Doors, Lamps, OtherDoors],
      'OtherDoors takes the message open of /devices, which is taken already',
    ],
    ['is of a namespace without rules', [WithoutNamespace], '/nowhere has no rules in namespaces.ts'],
  ])('refuses a message that %s', async (_, gateways, reason) => {
    await expect(tableOf(...gateways)).rejects.toThrow(reason);
  });
});
