// SPDX-License-Identifier: Apache-2.0
#pragma once
/* embedded: the texts of schemas/, compiled in by cmake/embed.cmake. */

extern const char embedded_click_event_avsc[];
extern const char embedded_item_avsc[];
extern const char embedded_recommendation_avsc[];
extern const char embedded_closed_session_avsc[];
extern const char embedded_model_chunk_avsc[];
extern const char embedded_model_manifest_avsc[];
extern const char embedded_intent_request_avsc[];
extern const char embedded_intent_avsc[];
