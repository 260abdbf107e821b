import { Injectable, type OnModuleInit, RequestMethod, SetMetadata } from '@nestjs/common';
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

/** A route for old clients; its path is whole. */
export interface LegacyRoute extends Route {
  family: string;
}

const FAMILY = 'spotter:legacy';
/** The routes of this class are for old clients of this family. */
export const OfFamily = (family: string) => SetMetadata(FAMILY, family);

/** All routes and who may use them. A route that does not say stops the server from starting. */
@Injectable()
export class RouteTable implements OnModuleInit {
  /** Of the public API, and of what stands beside it. */
  readonly routes: Route[] = [];
  readonly legacy: LegacyRoute[] = [];

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
            const family = Reflect.getMetadata(FAMILY, metatype!) as string | undefined;
            const route = {
              method: RequestMethod[method],
              path: [controllerPath, path].filter(Boolean).join('/'),
              access,
            };
            if (family === undefined) this.routes.push(route);
            else this.legacy.push({ ...route, family });
          }
        }
      }
    }
  }
}

const paths = (target: object): string[] =>
  [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat().map((path) => path.replace(/^\/|\/$/g, ''));
