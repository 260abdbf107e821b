import { Module } from '@nestjs/common';
import { Drain } from '../common/http/drain.js';
import { OperationsController } from './operations.controller.js';

@Module({ controllers: [OperationsController], providers: [Drain] })
export class OperationsModule {}
