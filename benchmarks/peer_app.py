"""A do-nothing service as HealthChain's manual shows one, for the peer's environment: it counts what was prefetched."""

from __future__ import annotations

from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse

hooks = CDSHooksService()


@hooks.hook("patient-view", id="floor")  # type: ignore[untyped-decorator]
def answer(request: CDSRequest) -> CDSResponse:
    """No cards, once the entries have been counted in the prefetch as it came."""
    counted = sum(len(one.get("entry", ())) for one in (request.prefetch or {}).values() if one)
    assert counted >= 0
    return CDSResponse(cards=[])


app = HealthChainAPI(title="peer")
app.register_service(hooks)
