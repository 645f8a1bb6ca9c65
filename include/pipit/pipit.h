/*
 * pipit
 *
 * pipit is a callback-based PostgreSQL client for programs that run on libevent. This header
 * includes all others but evhttp.h; doc/reference.md lists them, and doc/guide.md says how they are
 * used.
 */
#ifndef PIPIT_PIPIT_H
#define PIPIT_PIPIT_H

#include <pipit/arena.h>
#include <pipit/error.h>
#include <pipit/export.h>
#include <pipit/expr.h>
#include <pipit/item.h>
#include <pipit/model.h>
#include <pipit/options.h>
#include <pipit/query.h>
#include <pipit/record.h>
#include <pipit/request.h>
#include <pipit/result.h>
#include <pipit/scope.h>
#include <pipit/session.h>
#include <pipit/sync.h>
#include <pipit/transaction.h>
#include <pipit/value.h>

#endif
