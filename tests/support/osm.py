"""A small town as an OpenStreetMap file."""

from __future__ import annotations

TOWN = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="hand">
 <node id="101" version="3" lat="36.1600" lon="-115.2900"/>
 <node id="102" version="1" lat="36.1600" lon="-115.2880"/>
 <node id="103" version="1" lat="36.1600" lon="-115.2860"/>
 <node id="104" version="2" lat="36.1620" lon="-115.2880"/>
 <node id="105" version="2" lat="36.1620" lon="-115.2860"/>
 <node id="106" version="2" lat="36.1610" lon="-115.2850"/>
 <way id="11" version="1"> <nd ref="101"/> <nd ref="102"/> <nd ref="103"/>
  <tag k="highway" v="primary"/>
  <tag k="maxspeed" v="45 mph"/>
  <tag k="lanes" v="4"/>
  <tag k="name" v="Say &quot;Hi&quot; =&gt; Road"/>
 </way>
 <way id="12" version="1"> <nd ref="102"/> <nd ref="104"/>
  <tag k="highway" v="residential"/>
  <tag k="surface" v="gravel"/>
 </way>
 <way id="13" version="1"> <nd ref="104"/> <nd ref="105"/>
  <tag k="highway" v="footway"/>
 </way>
 <way id="14" version="1"> <nd ref="105"/> <nd ref="104"/>
  <tag k="building" v="yes"/>
 </way>
 <way id="15" version="1"> <nd ref="103"/> <nd ref="105"/> <nd ref="106"/> <nd ref="103"/>
  <tag k="highway" v="tertiary"/>
  <tag k="junction" v="roundabout"/>
 </way>
</osm>
"""
