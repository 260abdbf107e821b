import { Injectable, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ACCESS, type Access } from './access.js';
import type { Role } from './roles.js';

export interface Route {
  method: string;
  /** Without the prefix: `users/:user_id`. */
  path: string;
  access: Omit<Access, 'roles'> & { roles: readonly Role[] | null };
}

/** All routes and who may use them. A route that does not say stops the server from starting. */
@Injectable()
export class RouteTable implements OnModuleInit {
  readonly routes: Route[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getControllers()) {
      const prototype = Object.getPrototypeOf(instance) as Record<string, object>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name]!;
        const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
        if (method === undefined) continue;
        const access = Reflect.getMetadata(ACCESS, handler) as Route['access'] | undefined;
        if (!access)
          throw new Error(`${metatype?.name}.${name} is a route that does not say who may use it (@Operation)`);
        for (const controllerPath of paths(metatype!)) {
          for (const path of paths(handler)) {
            this.routes.push({
              method: RequestMethod[method],
              path: [controllerPath, path].filter(Boolean).join('/'),
              access,
            });
          }
        }
      }
    }
  }
}

const paths = (target: object): string[] =>
  [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat().map((path) => path.replace(/^\/|\/$/g, ''));
