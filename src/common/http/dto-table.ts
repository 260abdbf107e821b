import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { CompiledDto, rulesOf } from './compiled-dto.js';

/**
 * The DTOs of all routes and messages. One with a decorator that validation does not know stops the server from
 * starting.
 */
@Injectable()
export class DtoTable implements OnModuleInit {
  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    const all = [...this.discovery.getControllers(), ...this.discovery.getProviders()];
    for (const dto of dtosOf(all.map(({ metatype }) => metatype))) CompiledDto.of(dto);
  }
}

/** What the methods of these classes take, so far as it has rules. */
export function dtosOf(classes: unknown[]): Type[] {
  const scanner = new MetadataScanner();
  const taken = classes.flatMap((one) => {
    const prototype = (one as Type | null)?.prototype as object | undefined;
    return scanner
      .getAllMethodNames(prototype ?? null)
      .flatMap((method) => (Reflect.getMetadata('design:paramtypes', prototype!, method) ?? []) as Type[]);
  });
  return [...new Set(taken)].filter((type) => rulesOf(type).length > 0);
}
